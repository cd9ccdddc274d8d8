"""Who books whom, when and where: appointments, provider time, slots, the visit."""
