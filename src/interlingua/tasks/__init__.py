"""A task is a record first: columns, label space, metric, licence; then its reader and metrics."""
