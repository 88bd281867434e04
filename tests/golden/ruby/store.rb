#!/usr/bin/env ruby
# frozen_string_literal: true

require "json"
require_relative '../lib/base'
autoload :Lazy, "lazy"

# Everything of the shop.
module Shop
  VERSION = "1.0"
  LEFT, RIGHT = 1, 2

  class Error < StandardError; end
  NotFound = Class.new(Error)

  # One thing for sale.
  #
  # @see Store
  class Item::Base < ::Shop::Model
    include Comparable, Enumerable
    extend ActiveSupport::Concern
    attr_accessor :name, :price # both
    attr_reader(:größe)
    alias_method :title, :name
    alias label name
    scope :cheap, -> { where("price < ?", 3) }

    # Makes one.
    def initialize(name, price: 1, *rest, **options, &block)
      @name = name
      TEMP ||= 3
      super(name)
    end

    def self.find(key) = all.detect { |item| item.key == key }

    class << self
      # On the class.
      def all
        @all ||= [new("a"), "def fake; end"]
      end

      private

      def reset!; @all = nil; end
    end

    def <=>(other)
      price <=> other.price
    end

    def [](i) = @parts[i]
    def name=(value); @name = value; end
    def ok? = true
    def -@; end
    private def secret(a, (b, c), d: {}, e: [1,
      2])
      yield a
    end
    private_class_method def self.build(*) = new(*)

    define_method(:dynamic) { |x| x&.call(1) }

    Point = Struct.new(:x, :y) do
      def distance = Math.sqrt(x**2)
    end
    Pair = Data.define(:a)
    const = <<~RUBY
      class InHeredoc
        def nor_this; end
      end
    RUBY
  end
end

=begin
A helper
on the top.
=end
def helper(a = {}, b = "x")
  inner = lambda { |y| y }
  def nested; end
  inner.(1)
end

def Shop.open(path) File.open(path) end

module Shop::Extra
  module_function
  def laufen = puts("läuft")
  Shop::LATE = %w[class Nope end].freeze
end

class ::Absolute
  def rooted; end
end
module ::Everywhere
  class Inside; end
end
$stdout_copy = $stdout
task build: [:compile] do
  sh "make"
end
__END__
class AfterEnd
end
