//! What must survive a restart: segments, journal, rejections, runs; in SQLite and PostgreSQL.
