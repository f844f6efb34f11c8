"""Tables, from Parquet or CSV: their columns, what each is for, and the points they describe."""
