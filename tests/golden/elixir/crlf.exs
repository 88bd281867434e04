defmodule A do
  @doc "One."
  def one(x) do
    x
  end
end
