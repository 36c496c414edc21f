"""One module for each engine that has promises of its own: ``make bench ENGINE=glue``."""
