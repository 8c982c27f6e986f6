"""What a validation found, as values that can be shown in any form."""
