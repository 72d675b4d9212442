"""What a call does, without doing it: generators build requests, check responses, turn pages and time waits.

The generators yield effects (`effects.py`) and the drivers in `didww._drivers` carry them out. No I/O, no clock, no
thread here, and no HTTP library.
"""
