"""What tests and people control: clock, transitions, faults, journal, callbacks, calls, stock."""
