// librados, for both compilers. Its header (16.2) compares an iterator of a list of buffers with a constant one; in C++20 clang 14
// finds that ambiguous, because == may be turned round. An exact match is not: here it is.
#ifndef GREFFE_ARCHIVE_STORE_LIBRADOS_H
#define GREFFE_ARCHIVE_STORE_LIBRADOS_H

#ifdef __clang__
#include <iterator>
#include <type_traits>

#include <rados/buffer_fwd.h>

namespace ceph::buffer {
inline namespace v15_2_0 {
template <class A, class B>
  requires(!std::is_same_v<A, B> && std::is_convertible_v<A, B> &&
           std::is_same_v<const typename A::value_type, const typename B::value_type> &&
           std::is_same_v<typename A::iterator_category, std::forward_iterator_tag>)
bool operator==(const A& one, const B& other) {
  return one.operator->() == other.operator->();
}
}  // namespace v15_2_0
}  // namespace ceph::buffer
#endif

#include <rados/librados.hpp>

#endif
