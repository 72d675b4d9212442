"""Registration of numbers: identities, addresses, documents, verifications, emergency calling."""
