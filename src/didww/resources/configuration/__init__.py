"""How a voice IN trunk delivers calls: by SIP (`sip`), or to a phone number (`pstn`)."""
