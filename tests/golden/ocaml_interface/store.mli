(** The interface. *)

open Base

type t
(** The store itself. *)

type 'a entry = { name : string; (** what it is called *) mutable value : 'a }

type error =
  | Not_found of string  (** no such key *)
  | Busy

and key = string

exception Closed of string
(** After [close]. *)

val create : ?size:int -> unit -> t
(** [create ()] makes one. *)

(** Both documented before. *)
val find : t -> key -> ('a, error) result

val default_size : int
val ( ++ ) : t -> t -> t
val fold : 'a. ('a -> 'b) -> 'a list -> 'b

external unsafe : t -> int -> 'a = "store_unsafe"

module Map : sig
  type key = string
  val empty : t
end

module Cache (K : Map.OrderedType) : Base.S with type key = K.t
module type S = sig
  include Base.S with type t := t
  val run : unit -> unit
end

class counter : int -> object
  val mutable n : int
  method incr : unit -> int
end

class type showable = object method show : string end
