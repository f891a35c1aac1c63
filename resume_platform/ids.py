"""What every id of the contract is: a positive integer of PostgreSQL's type bigint."""

MAX_ID = 2**63 - 1
