"""Answers to questions about call records: one module for each, as Ibis expressions that run on any engine."""
