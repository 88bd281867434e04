module Broken where

-- | Whole.
before :: Int -> Int
before x = x + 1

data Half = Half { a :: Int,

after :: Int
after = before 2

class Open a where
  method :: a ->

unfinished x = case x of
  Just y -> (y

last' :: Int
last' = 3
