"""Real SIP calls of the emulator: what a call to a number sends to the trunks that it is routed to."""
