(* Copyright: not about anything. *)

(** A store of values. *)

open Printf
open! Base.List
include Foo.Bar
module Map = Map.Make (String)
module U = Stdlib.Unix

(** What a backend can do. *)
module type BACKEND = sig
  type t
  (** Its handle. *)

  type key = private string
  exception Closed
  val connect : string -> t
  (** [connect url] opens it. *)

  val limit : int
  val map : 'a. ('a -> 'b) -> 'a list -> 'b list
  val ( + ) : t -> t -> t
  module Inner : sig val x : int end
end

module type EXTENDED = BACKEND with type t = int

(** One for each backend. *)
module Make (B : BACKEND) (_ : sig end) : EXTENDED with type key = B.key = struct
  include B
  let connect url = B.connect (url ^ "/")
  module Cache = struct
    let size = ref 0
    let clear () = size := 0
  end
end

module rec Even : sig val test : int -> bool end = struct
  let test n = n = 0 || Odd.test (n - 1)
end
(** The other half. *)
and Odd : sig val test : int -> bool end = struct
  let test n = n <> 0 && Even.test (n - 1)
end

(** A record, by name. *)
type 'a entry = {
  mutable name : string; (** what it is called *)
  value : 'a;
  (** what it holds *)
  on_change : (int -> unit) option;
} [@@deriving show, eq]

(** Follows it. *)
and color =
  | Red  (** warm *)
  | Green of int * int
  | Custom of { r : int; g : int }
  | Gadt : 'a -> color

type nonrec alias = string list
type (+'a, 'b) pair = 'a * 'b constraint 'a = int
type shape = [ `Circle of float | `Square ]
type fn = [> `A ] -> unit
type _ expr = ..
type _ expr += Int : int -> int expr
exception Not_open of string * int
exception Alias = Not_found

external size_of : 'a -> int = "caml_size_of" [@@noalloc]
external ( % ) : int -> int -> int = "%modint"

let version = "let x = 1 in (* not a comment *) let f y = y"
let quoted = {sql| let inside = fun x -> x |sql}
let pi, tau = 3.14, 6.28
let (low, high) as _bounds = (0, 10)
let { name; value = _ } = entry
let _ = print_endline "start"
let () = init ()

(** Adds two.
    @param a the first *)
let add ?(carry = 0) ~a (b : int) : int =
  let total = a + b in
  let rec loop n = if n = 0 then total else loop (n - 1) in
  let module L = struct let local_fn x = x end in
  loop carry + L.local_fn 1

let[@inline never] slow (type a) (x : a) = x
let compose = fun f g x -> f (g x)
let describe = function
  | Red -> "red"
  | Green (a, _) -> sprintf "%d" a
  | _ -> "?"
let typed : 'a. 'a list -> int = List.length
let partial = List.map succ

let rec even n = n = 0 || odd (n - 1)
(** Mutual. *)
and odd n = n <> 0 && even (n - 1)

let ( >>= ) m f = Option.bind m f
let ( let* ) = ( >>= )
let (|>>) x f = f x

let chain m =
  let* x = m in
  x |> succ |> Option.some >>= fun y -> Some (add ~a:y @@ negate 1)

class virtual shape_class ?(x = 0) name = object (self : 'self)
  inherit base name as super
  inherit [int] container
  val mutable count = x
  val virtual id : int
  (** Its area. *)
  method virtual area : float
  method name = name
  method private bump by = count <- count + by; self#log by
  method! describe : string = super#describe ^ "!"
  initializer self#bump 1
end

and circle r = let pi = 3.14 in object
  inherit shape_class "circle"
  method area = pi *. r
end

class type printable = object
  inherit showable
  method print : unit -> unit
end

let obj = object method hello = "hi" end
let c = new circle 1.0
let packed = (module Make : BACKEND)

let%test "adds" = add ~a:1 2 = 3
let%expect_test _ = print ()

let größe = String.length
;;
#use "topfind";;
