"""Accounts as records: backed up, moved, checked, erased, and written as books that an accountant's tools can read.

Everything here works on a store, not on an open account: nothing is decided, and no market is needed.
"""

from papertrade.records.balances import Balance, assert_balance, balance_at
from papertrade.records.beancount import Books, export_beancount, write_beancount
from papertrade.records.checking import Checked, verify_account
from papertrade.records.erasing import erase_account
from papertrade.records.exporting import Exported, export_account
from papertrade.records.history import verify_tables
from papertrade.records.importing import Imported, import_account

__all__ = [
    "Balance",
    "Books",
    "Checked",
    "Exported",
    "Imported",
    "assert_balance",
    "balance_at",
    "erase_account",
    "export_account",
    "export_beancount",
    "import_account",
    "verify_account",
    "verify_tables",
    "write_beancount",
]
