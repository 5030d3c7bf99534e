// A chunked body, decoded piece by piece (RFC 9112 section 7.1). Pure; one thread.
#ifndef GREFFE_WEB_HTTP_CHUNKED_H
#define GREFFE_WEB_HTTP_CHUNKED_H

#include <cstdint>
#include <string>
#include <string_view>

#include "archive/base/result.h"

namespace greffe::http {

class ChunkedReader {
 public:
  // At most `limit` decoded bytes are taken.
  explicit ChunkedReader(std::uint64_t limit) : left_(limit) {}

  // Takes bytes from the front of `bytes`, appends what they decode to; says how many were taken: all of them unless
  // the body ended. invalid: not chunked coding. no_space: more than the limit.
  Result<std::size_t> take(std::string_view bytes, std::string& out);
  bool done() const { return state_ == State::done; }

 private:
  enum class State { size, extension, size_lf, data, data_cr, data_lf, trailer, trailer_lf, last_lf, done };
  Status step(char c);

  State state_ = State::size;
  std::uint64_t left_;        // decoded bytes still allowed
  std::uint64_t chunk_ = 0;   // bytes left of this chunk
  unsigned digits_ = 0;       // of the chunk size so far
  unsigned extras_ = 0;       // bytes of extensions and trailers so far: bounded, since they are ignored
  bool line_empty_ = true;    // of the trailer
};

}  // namespace greffe::http

#endif
