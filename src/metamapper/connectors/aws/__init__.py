"""What engines of Amazon Web Services share: signing in, reaching a service, its errors, the policies that mend them.

Importing the package imports no driver; ``dial`` and what builds on it do.
"""
