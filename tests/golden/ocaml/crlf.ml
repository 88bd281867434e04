(** Lines end
    with two bytes. *)
let f x =
  x

type t =
  | A (** first *)
  | B
