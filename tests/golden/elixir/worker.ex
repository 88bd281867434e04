# The file's comment.

defmodule App.Worker do
  @moduledoc """
  Does the work.

      defmodule Not.This do
      end
  """

  use GenServer
  alias App.{Repo, Mailer}
  import Ecto.Query, only: [from: 2]
  require Logger

  @behaviour App.Handler
  @timeout 5_000
  @timeout 6_000
  # How often.
  @retries Application.compile_env(:app, :retries, 3)

  @typedoc "What it holds."
  @type state :: %{jobs: list, size: non_neg_integer}
  @typep pair(a) :: {a, a}
  @opaque token :: binary

  @callback handle(job :: term, keyword) :: :ok | {:error, term}
  @macrocallback quoted(term) :: Macro.t()

  defstruct [:id, :owner, jobs: [], name: "x"]

  @doc "Starts it."
  @spec start(integer, keyword) :: GenServer.on_start()
  def start(n, opts \\ [])
  def start(n, opts) when n > 0, do: GenServer.start_link(__MODULE__, n, opts)

  def start(0, _opts) do
    :ignore
  end

  @doc """
  Stops: another number of arguments is another function.
  """
  def start(n), do: start(n, [])

  @doc false
  @impl true
  def init(n) do
    helper = fn x -> x * @timeout end
    {:ok, helper.(n)}
  end

  # A comment documents, too.
  defp run([]), do: :done
  # Clause with a comment of its own.
  defp run([job | rest]) do
    job |> Map.fetch!(:work) |> apply([])
    run(rest)
  end

  def valid?(%{id: id} = job), do: not is_nil(id) and job.size > 0
  def update!(job), do: Repo.update!(job)
  def no_arguments, do: "def in_a_string(x), do: x"
  def a <~> b, do: {a, b}

  defmacro twice(x) do
    quote do
      unquote(x) + unquote(x)
    end
  end

  defguard is_even(n) when is_integer(n) and rem(n, 2) == 0
  defdelegate size(map), to: Map
  @doc ~S"A sigil: \n stays."
  defmacrop hidden(), do: nil

  defmodule State do
    def new, do: %__MODULE__{}
  end
end

defprotocol App.Sized do
  @moduledoc "What has a size."
  @doc "Its size."
  @spec size(t) :: integer
  def size(data)
end

defimpl App.Sized, for: BitString do
  def size(s), do: byte_size(s)
end

defmodule App.Error do
  defexception message: "none", code: 0
end

defmodule App.WorkerTest do
  use ExUnit.Case

  describe "start/1" do
    test "größe 🎉", %{conn: conn} do
      assert App.Worker.start(0) == :ignore
    end
  end
end
