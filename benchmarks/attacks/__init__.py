"""How strong the attacks are: what each does to a standard victim on real data."""
