{- Lines end with two bytes. -}
module Main (main) where

import Data.Char

-- | Starts.
-- Twice.
main :: IO ()
main =
  putStrLn "x"

data T = A -- ^ first
       | B
