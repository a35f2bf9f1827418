"""From a study folder to pages, tables and figures; nothing here changes a study."""
