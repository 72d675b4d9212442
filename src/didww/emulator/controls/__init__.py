"""Controls of the emulator: clock, transitions, faults, journal, callbacks, calls, stock."""
