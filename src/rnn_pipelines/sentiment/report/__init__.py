"""Reports on classifiers: pages, tables, figures and terminal summaries."""
