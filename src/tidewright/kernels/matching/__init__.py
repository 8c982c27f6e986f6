"""An order book with price-time priority, its accounts and every order type, as compiled steps."""
