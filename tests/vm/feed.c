// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * feed DEVICE WIDTH HEIGHT FPS LINK: shows the frames of a file (YUYV, one after the other, again and again) on a V4L2 output device,
 * whose driver shows them as a camera. LINK may be pointed at another file at any time. A device that goes away is opened again.
 */
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define N_BUFFERS 3

struct output {
	int device;
	unsigned n_queued;
	void *buffers[N_BUFFERS];
};

static void shut(struct output *out, size_t size)
{
	for (unsigned i = 0; i < N_BUFFERS; i++)
		if (out->buffers[i])
			munmap(out->buffers[i], size);
	if (out->device >= 0)
		close(out->device);
	memset(out, 0, sizeof(*out));
	out->device = -1;
}

static int open_output(struct output *out, const char *path, unsigned width, unsigned height)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT };
	struct v4l2_requestbuffers request = { .count = N_BUFFERS, .type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP };
	size_t size = (size_t)width * height * 2;

	out->device = open(path, O_RDWR);
	if (out->device < 0)
		return -1;
	format.fmt.pix.width = width;
	format.fmt.pix.height = height;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
	format.fmt.pix.field = V4L2_FIELD_NONE;
	if (ioctl(out->device, VIDIOC_S_FMT, &format) < 0 || format.fmt.pix.sizeimage != size ||
	    format.fmt.pix.pixelformat != V4L2_PIX_FMT_YUYV || ioctl(out->device, VIDIOC_REQBUFS, &request) < 0 || request.count != N_BUFFERS)
		goto wrong;
	for (unsigned i = 0; i < N_BUFFERS; i++) {
		struct v4l2_buffer buffer = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP, .index = i };

		if (ioctl(out->device, VIDIOC_QUERYBUF, &buffer) < 0 || buffer.length < size)
			goto wrong;
		out->buffers[i] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, out->device, buffer.m.offset);
		if (out->buffers[i] == MAP_FAILED) {
			out->buffers[i] = NULL;
			goto wrong;
		}
	}
	return 0;
wrong:
	perror(path);
	shut(out, size);
	return -1;
}

static int show(struct output *out, const void *frame, size_t size)
{
	struct v4l2_buffer buffer = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP };

	if (out->n_queued < N_BUFFERS)
		buffer.index = out->n_queued++;
	else if (ioctl(out->device, VIDIOC_DQBUF, &buffer) < 0)
		return -1;
	memcpy(out->buffers[buffer.index], frame, size);
	buffer.bytesused = size;
	buffer.field = V4L2_FIELD_NONE;
	if (ioctl(out->device, VIDIOC_QBUF, &buffer) < 0)
		return -1;
	if (out->n_queued == 1) {
		int type = V4L2_BUF_TYPE_VIDEO_OUTPUT;

		return ioctl(out->device, VIDIOC_STREAMON, &type);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "feed DEVICE WIDTH HEIGHT FPS LINK\n");
		return 2;
	}
	unsigned width = atoi(argv[2]), height = atoi(argv[3]), fps = atoi(argv[4]);
	size_t size = (size_t)width * height * 2, length = 0, at = 0;
	unsigned char *frames = NULL;
	struct stat loaded = { 0 };
	struct output out = { .device = -1 };
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (;;) {
		struct stat now;

		if (stat(argv[5], &now) == 0 && now.st_ino != loaded.st_ino) {
			int file = open(argv[5], O_RDONLY);
			unsigned char *room = realloc(frames, now.st_size + 1);

			if (file < 0 || !room) {
				perror(argv[5]);
				return 1;
			}
			frames = room;
			length = read(file, frames, now.st_size) / size * size;
			at = 0;
			loaded = now;
			close(file);
		}
		if (length && (out.device >= 0 || open_output(&out, argv[1], width, height) == 0)) {
			if (show(&out, frames + at, size) < 0) {
				perror(argv[1]);
				shut(&out, size);
			}
			at = (at + size) % length;
		}
		next.tv_nsec += 1000000000 / fps;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}
