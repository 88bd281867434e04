(import (qualified_identifier) @name) @reference.import
