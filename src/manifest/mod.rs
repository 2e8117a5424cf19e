//! YAML files to resources and back, with file, document and line in every complaint.
