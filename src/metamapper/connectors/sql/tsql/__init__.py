"""What the relatives that speak TDS and T-SQL share. See [MS-TDS] and the pages of the catalog views by Microsoft."""
