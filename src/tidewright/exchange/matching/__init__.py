"""An exchange in memory: order books with price-time priority and the accounts that use them."""
