class Old
  # First.
  def first(a)
    a
  end

  def second; end
end

class Broken
  def half(a, 
  def third
    [1, 2
  end
  def last; end
