"""What reaches a PostgreSQL and says what went wrong: shared by its engine and by those that keep their catalog in one."""
