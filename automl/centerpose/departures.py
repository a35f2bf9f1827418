"""Where this trainer deliberately differs from the TAO container, and why: the one list."""

from dataclasses import dataclass

__all__ = ["DEPARTURES", "Departure"]


@dataclass(frozen=True, slots=True)
class Departure:
    """One deliberate difference.

    Attributes:
        what: What is different here.
        why: What is gained by it.
    """

    what: str
    why: str


DEPARTURES: tuple[Departure, ...] = (
    # Networks
    Departure(
        "model_type nano: 0.4 M parameters, one trunk of 48 channels for all heads; it reads "
        "neither model.head_conv nor model.use_convGRU",
        "a CPU can train it; the container does not know it and refuses it",
    ),
    Departure(
        "the three gates of the ConvGRU are one wide convolution, and the input's part of them is "
        "computed once for all three steps",
        "the same function with a third of the launches",
    ),
    Departure(
        "DLA34 leaves out shortcut projections whose output the published network never uses",
        "19.80 M parameters instead of 19.86 M, none of them idle",
    ),
    Departure(
        "a FAN's class token is added to every cell of its map at stride 16, and class attention "
        "leaves the other tokens as they are",
        "in a network without a classifier nothing else reads the token: 3.5 M parameters of "
        "fan_small would be idle",
    ),
    Departure(
        "FAN backbones train without gradient checkpointing unless the GPU has no room for the "
        "batch, which is measured on one image before training; the log says when it is on",
        "no block is computed twice where memory allows; the gradients are the same",
    ),
    Departure(
        "model.backbone.pretrained_backbone_path is read by every network but nano whenever it is "
        "set; model.use_pretrained alone, with no file to read, is refused",
        "one setting says all, and nothing is downloaded",
    ),
    Departure(
        "pretrained weights must fit in every layer, and their names are those of this program: "
        "a file of the container's is refused with the layers that differ",
        "the container trains on with whatever happened to match",
    ),
    # Data and targets
    Departure(
        "keypoints stay floats up to the targets",
        "the container cuts them to whole pixels, so reg and hp_offset have nothing to learn and "
        "mean IoU cannot pass 0.85",
    ),
    Departure(
        "the random numbers of an image follow from (seed, epoch, image) alone",
        "equal results for any number of loader threads, and an exact resume; the container seeds "
        "its colour noise once a worker",
    ),
    Departure(
        "on a GPU views are cut, coloured and turned into target maps there, in fp32 without "
        "rounding pixels to whole numbers in between; on a CPU OpenCV cuts them",
        "the GPU never waits for images",
    ),
    Departure(
        "dataset.workers counts threads, never more than the process may use; decoded images stay "
        "on the GPU where they fit beside the training, else in host memory up to a quarter of "
        "what is free there",
        "no copies between processes, and a JPEG is decoded once instead of once an epoch",
    ),
    Departure(
        "dataset.not_rand_crop: true shows every training image whole, without random scale and "
        "shift",
        "in the container it stops the training",
    ),
    Departure(
        "dataset.input_res may be any multiple of 32 with output_res a quarter of it",
        "small networks and tests train on small images",
    ),
    # Loss and optimisation
    Departure(
        "the loss is computed in fp32 at every precision",
        "in the container one confident logit in fp16 makes it NaN",
    ),
    Departure(
        "the terms of the loss can be switched off, by their switch or by a weight of 0",
        "in the container each of these stops the training",
    ),
    Departure(
        "mse_loss, of either block, learns the heatmaps by squared errors of the sigmoid, divided "
        "by the peaks; dense_hp, of either block, learns the displacements in 5 x 5 cells about "
        "each centre, weighed by its blob",
        "in the container the one makes the loss NaN and the other stops the training",
    ),
    Departure(
        "hps_uncertainty, obj_scale_uncertainty, use_residual and aug_rot above 0 are refused",
        "no head answers with an uncertainty, the decoder knows no reference sizes, and the spec "
        "has no angle to turn by",
    ),
    Departure(
        "an image without any object to learn counts with its heatmaps alone",
        "it still teaches where no object is",
    ),
    Departure(
        "train.precision also takes bf16 and tf32; fp32 convolves and multiplies in full fp32; on "
        "a CPU fp16 computes in bf16 and tf32 in fp32",
        "bf16 needs no loss scaling; TF32 is a choice that a spec can name, where the container "
        "convolves in it without being asked; CPUs have no fast fp16",
    ),
    Departure(
        "a loss or a weight that is not finite ends the training, with a FAILURE line that names "
        "the step, and is never saved; a GPU may be eight steps further by then",
        "the container trains on to the last epoch with weights that are NaN",
    ),
    Departure(
        "validation computes in fp32, with TF32 unless train.precision is fp32, and evaluation in "
        "fp32, never in half precision",
        "in the container half-precision sizes stop a validation that detects something",
    ),
    # Program
    Departure(
        "a machine without a GPU trains on its CPU",
        "the container needs a GPU",
    ),
    Departure(
        "several GPUs share the images of a validation, and the scores are those that one would "
        "get; batch statistics are those of the first GPU, as in the container",
        "in the container every GPU validates everything",
    ),
    Departure(
        "a training goes on with another number of GPUs or another batch size, from within an "
        "epoch only where the new step divides what was learnt of it; otherwise it is refused",
        "no image of an epoch is learnt twice or never",
    ),
    Departure(
        "one process of several that fails or dies ends all of them, with a FAILURE line; a "
        "signal ends all of them at the same step, with one checkpoint",
        "a process that waits for a dead one waits for ever",
    ),
    Departure(
        "a checkpoint is written by a thread while the training goes on; the last one is on disk "
        "before the training calls itself complete",
        "the GPU waits for a copy to the host only",
    ),
    Departure(
        "every exception writes a FAILURE line; what has no prefix in the contract gets "
        "'Unexpected error:'",
        "an out-of-memory in the container leaves no line at all",
    ),
    Departure(
        "SIGINT and SIGTERM end with a checkpoint, a FAILURE line, 'Execution status: FAIL' and "
        "exit code 130 or 143",
        "the container calls an interrupted training passed and exits 0",
    ),
    Departure(
        "only an interruption writes an extra checkpoint, any other failure none",
        "a checkpoint from the middle of a failure may hold what caused it",
    ),
    Departure(
        "a checkpoint holds the position within an epoch and every random state: a resumed "
        "training equals an uninterrupted one, on a CPU bit for bit",
        "the container starts an interrupted epoch anew",
    ),
    Departure(
        "a metric stands on its own status line only, and no sanity validation is printed before "
        "training",
        "a repeated metric can be read as that of another epoch",
    ),
    Departure(
        "-e takes a relative path too",
        "the container ignores a spec file without a directory part",
    ),
    Departure(
        "no TensorBoard files and no Weights & Biases",
        "the study folder of the orchestrator holds the curves",
    ),
    # Inference and export
    Departure(
        "with inference focal lengths of 0, the camera of each image comes from "
        "camera_data.intrinsics of the JSON file beside it; without one, and for half a camera, "
        "inference is refused",
        "the packaged focal lengths are 0, and the container solves poses with them",
    ),
    Departure(
        "inference.use_pnp: false draws and saves the corners and sizes that the network says, "
        "without poses and without a camera",
        "in the container it stops at the first image that is saved",
    ),
    Departure(
        "images whose names are not all different keep their sub-folders in the results of "
        "inference, and results never go among the images",
        "in the container frames of one name overwrite one another",
    ),
    Departure(
        "export writes for the input size of dataset.input_res, and only what onnxruntime answers "
        "like the network to 1e-4, whole or not at all",
        "a file that exists is a file that works",
    ),
    Departure(
        "evaluate and inference take an ONNX file as their checkpoint and run it with onnxruntime "
        "on the CPU",
        "what will be deployed can be scored without TensorRT",
    ),
    Departure(
        "a TensorRT engine, and gen_trt_engine, are refused with the name of the deploy container",
        "the refusal says where to go",
    ),
    # Scoring
    Departure(
        "report.txt heads its columns with the thresholds in use and adds scores under one-to-one "
        "matching",
        "the container heads two of them with a tenth of the threshold",
    ),
    Departure(
        "detections of equal score enter the precision-recall curve together, and one that was "
        "compared with no object passes no threshold",
        "the order of the images, or of the parts of a split, cannot change a metric",
    ),
    Departure(
        "each image is measured in units of its own sides",
        "the container takes the sides of the last image of a batch for all of them",
    ),
    Departure(
        "poses follow the iterative solver of OpenCV 4, all boxes at once in double precision on "
        "the network's device; under heavy noise OpenCV 5 may end in another minimum",
        "a whole split is scored without waiting for one box after the other",
    ),
    Departure(
        "a detection that is not finite, or whose box is flat, has no pose; a box that the ground "
        "plane cannot scale keeps its size",
        "one broken output costs one detection, not the validation",
    ),
)
