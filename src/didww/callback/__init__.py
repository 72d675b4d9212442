"""What DIDWW sends to your own server: signed notices about orders, exports, verifications and trunks."""
