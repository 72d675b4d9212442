"""The logic of calls without I/O: generators build requests, check responses, iterate pages and time retries.

The generators yield effects (`effects.py`) and the drivers in `didww._drivers` carry them out. No I/O, no clock, no
thread here, and no HTTP library.
"""
