//! Report bytes to attempts and problems, one file per dialect (to come).
