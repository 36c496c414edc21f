"""What each engine promises: ``make bench ENGINE=glue``. One that promises more than memory has a module of its own."""
