{-# LANGUAGE GADTs, TypeFamilies #-}
{-# LANGUAGE CPP #-}
-- |
-- Module      : Data.Store
-- A store of values, with an index.
module Data.Store
  ( Store(..)
  , open, close
  , module Data.Store.Types
  , (<+>)
  ) where

import qualified Data.Map.Strict as M
import Data.List (sortBy, foldl')
import "base" Control.Monad hiding (when)
import Data.Store.Types

infixl 6 <+>, `merge`

-- | What is kept, by key.
--
-- Two paragraphs are one text.
data Store k v = Store
  { storeMap :: !(M.Map k v)      -- ^ what is in it
  , storeHits, storeMisses :: Int -- ^ how often it was asked
  , onEvict :: k -> v -> IO ()
  } deriving (Show, Eq)

-- A shape without fields.
data Shape
  = Circle Double            -- ^ by its radius
  | Rect { width, height :: Double }
  | !Double `Ellipse` !Double
  | Double :-: Double
  | Unknown
  deriving stock (Show)
  deriving anyclass (Hashable, ToJSON)

newtype Parser a = Parser { runParser :: String -> Maybe (a, String) }
newtype Age = Age Int deriving newtype Num
data Void
data a :+: b = L a | R b

-- | Typed expressions.
data Expr a where
  -- | A number.
  IntE  :: Int -> Expr Int
  BoolE, NotE :: Bool -> Expr Bool
  If    :: { cond :: Expr Bool, yes, no :: Expr a } -> Expr a

type Name = String
type f ~> g = forall x. f x -> g x
type family Elem c where
  Elem [a] = a
type instance Index Text = Int
data family Vec a
data instance Vec Int = VInt [Int]

-- | Things with an area.
class (Eq a, Show a) => HasArea a where
  type Unit a
  data Cache a
  {-# MINIMAL area #-}
  -- | How large it is.
  area :: a -> Double
  area _ = 0
  scale, grow :: Double -> a -> a
  (<+>) :: a -> a -> a
  infixl 5 <+>
  default describe :: Show a => a -> String
  describe = show

class Monad m => MonadStore m
class a `Sub` b where up :: a -> b

-- | Circles and the rest.
instance HasArea Shape where
  type Unit Shape = Double
  area (Circle r) = pi * r * r
  area (Rect w h) = w * h
  area _          = 0
  scale k s = case s of
    Circle r -> Circle (k * r)
    other    -> other
  a <+> b = a `merge` b

instance {-# OVERLAPPING #-} (Show a, Show b) => Show (Either' a b) where
  showsPrec d (Left' a) = showParen (d > 10) $ showString "Left' " . shows a
instance Functor Parser
deriving instance Eq (Expr a)
deriving via (Sum Int) instance Semigroup Age

-- | Opens a store.
-- It may fail.
open :: FilePath -- ^ where it is
     -> IO (Either String (Store Name Int))
{-# INLINE open #-}
open path = do
  exists <- doesFileExist path
  let local = 1
      helper x = x + local
  when exists $ putStrLn ("open :: not a signature" ++ path)
  tick
  M.foldrWithKey step (pure ()) M.empty
  return . Right $ Store { storeMap = M.empty, storeHits = helper 0 }
  where
    step :: k -> v -> m -> m
    step _ _ m = m
    tick = pure ()

close, flush :: Store k v -> IO ()
close _ = pure ()
flush s = close s

-- Clauses of one function.
fact :: Integer -> Integer
fact 0 = 1
-- the rest
fact n
  | n > 0     = n * fact (n - 1)
  | otherwise = error "fact"

merge :: HasArea a => a -> a -> a
x `merge` y = x <+> y

(<++>) :: [a] -> [a] -> [a]
xs <++> ys = xs ++ ys

(f .: g) x y = f (g x y)

untyped a b = a + b
constant' = 42 :: Int
(low, high) = (1, 2)

pattern Pair :: a -> b -> (a, b)
pattern Pair x y = (x, y)
pattern Head x <- x : _

foreign import ccall unsafe "math.h sin"
  c_sin :: Double -> Double
foreign export ccall fact :: Integer -> Integer

makeLenses ''Store

größe :: Text -> Int
größe = T.length

#if MIN_VERSION_base(4,11,0)
compat :: Int
compat = 1
#endif

{- block :: comment
   notAFunction = 1 -}
text :: String
text = "\
  \inString :: Int"

main :: IO ()
main = getArgs >>= mapM_ run
