"""Small helpers that know nothing of DIDWW."""
