// Byte buffers of one size, kept for the next user. One thread (its event loop).
#ifndef GREFFE_WEB_HTTP_BUFFER_POOL_H
#define GREFFE_WEB_HTTP_BUFFER_POOL_H

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace greffe::http {

class BufferPool;

// A borrowed buffer; goes back to its pool when it goes.
class PooledBuffer {
 public:
  PooledBuffer() = default;
  PooledBuffer(BufferPool& pool, std::unique_ptr<std::uint8_t[]> bytes) : pool_(&pool), bytes_(std::move(bytes)) {}
  PooledBuffer(PooledBuffer&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), bytes_(std::move(other.bytes_)) {}
  PooledBuffer& operator=(PooledBuffer&& other) noexcept;
  ~PooledBuffer() { release(); }
  explicit operator bool() const { return bytes_ != nullptr; }
  std::span<std::uint8_t> span() const;
  void release();

 private:
  BufferPool* pool_ = nullptr;
  std::unique_ptr<std::uint8_t[]> bytes_;
};

class BufferPool {
 public:
  // Keeps at most `kept` buffers that nobody uses.
  BufferPool(std::size_t size, std::size_t kept) : size_(size), kept_(kept) {}
  std::size_t size() const { return size_; }

  PooledBuffer take() {
    if (free_.empty()) return {*this, std::make_unique_for_overwrite<std::uint8_t[]>(size_)};
    PooledBuffer buffer(*this, std::move(free_.back()));
    free_.pop_back();
    return buffer;
  }
  void give_back(std::unique_ptr<std::uint8_t[]> bytes) {
    if (free_.size() < kept_) free_.push_back(std::move(bytes));
  }

 private:
  const std::size_t size_;
  const std::size_t kept_;
  std::vector<std::unique_ptr<std::uint8_t[]>> free_;
};

inline PooledBuffer& PooledBuffer::operator=(PooledBuffer&& other) noexcept {
  release();
  pool_ = std::exchange(other.pool_, nullptr);
  bytes_ = std::move(other.bytes_);
  return *this;
}
inline std::span<std::uint8_t> PooledBuffer::span() const {
  return {bytes_.get(), pool_ == nullptr ? 0 : pool_->size()};
}
inline void PooledBuffer::release() {
  if (bytes_ != nullptr) pool_->give_back(std::move(bytes_));
  bytes_.reset();
}

}  // namespace greffe::http

#endif
