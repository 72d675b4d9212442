"""Configurations of voice IN trunks: delivery of calls by SIP (`sip`) or to a phone number (`pstn`)."""
