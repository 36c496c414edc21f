"""What a person or an application does over days, told end to end."""
