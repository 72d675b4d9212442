"""The plots of a report: each returns a `Plot` of the rows of an answer, or None if there is nothing to show."""
