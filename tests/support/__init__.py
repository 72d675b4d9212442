"""What tests share: fake services, transports, servers, and the facts of the contract."""
