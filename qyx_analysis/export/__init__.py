"""Tables -> workbooks and CSV files for spreadsheet programs (``workbook``), and what changed (``difference``)."""
