"""Every table -> one data package (``building``), and back into frames (``loading``)."""
