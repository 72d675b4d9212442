"""What a call does, without doing it: requests are built, answers judged, pages turned and waits timed in generators.

The generators yield effects (`effects.py`) and the drivers in `didww._drivers` carry them out. No I/O, no clock, no
thread here, and no HTTP library.
"""
