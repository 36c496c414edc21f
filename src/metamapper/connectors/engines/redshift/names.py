"""How Redshift writes names: always quoted here, for what we spell is pasted, not read."""


def quoted(name: str) -> str:
    """A delimited identifier. https://docs.aws.amazon.com/redshift/latest/dg/r_names.html"""
    return '"' + name.replace('"', '""') + '"'
