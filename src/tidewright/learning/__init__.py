"""What learns from data or by trying; it writes artefacts and never reaches a broker."""
