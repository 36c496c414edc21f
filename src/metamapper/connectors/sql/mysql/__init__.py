"""What reaches a MySQL or MariaDB and says what went wrong: shared by its engine and by those that keep their catalog in one."""
