"""The practice itself: clinics, people, patients, access, audit, and the shell they are shown in."""
